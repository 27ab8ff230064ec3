"""How many messages wait."""

from __future__ import annotations

from deploy.topology import SERVICES
from dropmerge.operations.connection import Connection
from dropmerge.operations.no_answer import PUBSUB


def messages_in_flight(connection: Connection) -> int:
    """Messages on their way to a service, or being worked on.

    Of a local cloud, dead letters too that are not in their table yet: who waits for the others finds it whole. On
    Google Cloud nobody waits for that, nor for ever where the table cannot be written.
    """
    topology = connection.topology
    names = [topology.push_subscription(service) for service in SERVICES]
    if PUBSUB.is_local:
        names += [topology.dead_letter_table_subscription(service) for service in SERVICES]
    return sum(map(connection.undelivered, names))


def waiting_dead_letters(connection: Connection) -> int:
    """Dead letters that wait, of all services."""
    return sum(connection.undelivered(connection.topology.dead_letter_subscription(service)) for service in SERVICES)
