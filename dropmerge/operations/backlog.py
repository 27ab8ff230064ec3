"""How many messages wait."""

from __future__ import annotations

from deploy.topology import SERVICES
from dropmerge.operations.connection import Connection


def messages_in_flight(connection: Connection) -> int:
    """Messages on their way to a service, or being worked on."""
    return sum(connection.undelivered(connection.topology.push_subscription(service)) for service in SERVICES)


def waiting_dead_letters(connection: Connection) -> int:
    """Dead letters that wait, of all services."""
    return sum(connection.undelivered(connection.topology.dead_letter_subscription(service)) for service in SERVICES)
