"""The datasets that are not a contract's."""

STAGING = "staging"
"""Of tables on their way to a main table. They expire."""
CONTRACT_LABEL = "dropmerge_contract"
"""Of staging and main tables: the fingerprint of the contract that they follow."""
OPS = "ops"
"""Of journal, rejected rows, ledger, main tables' entries and locks."""
