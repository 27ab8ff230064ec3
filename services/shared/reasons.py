"""Every reason that a person is shown, with its sentence. docs/runbook.md is made from them."""

REASONS: dict[str, str] = {
    "malformed_message": "The message is not a notification or staged message that can be read.",
    "no_feed": "The object lies under the landing prefix and no feed's pattern matches it.",
    "unknown_feed": "The message names a feed that this deployment has no contract for.",
    "object_gone": "The object is not there, no newer one is in its place, and it was never read.",
    "empty_file": "The object has zero bytes: not even a header.",
    "wrong_format": "The bytes are not the format that the feed declares.",
    "wrong_encoding": "The bytes are not text in the encoding that the feed declares.",
    "wrong_header": "The header's names are not the contract's columns.",
    "malformed_file": "The file breaks the rules of its format, so its records cannot be told apart.",
    "too_many_bad_rows": "More rows failed their checks than the feed tolerates.",
    "contract_changed": "The contract's key, version, a type or its table is not that of the main table.",
    "contracts_differ": "The two services have run different contracts of the feed for hours.",
    "table_not_adopted": "The main table was there before and was not made by dropmerge.",
    "staging_missing": "The staging table is gone and the load was never merged.",
    "not_found": "Something that must exist (dataset, bucket, table) does not.",
    "access_denied": "The service's identity lacks a permission.",
    "refused_by_warehouse": "BigQuery refused the statement for a reason that repeating cannot fix.",
    "delivery_attempts_exhausted": "Pub/Sub gave up after the maximum number of delivery attempts.",
}

ROW_REASONS: dict[str, str] = {
    "missing_value": "A key, the version, or another required column is empty.",
    "not_utf8": "The text contains U+FFFD, which BigQuery writes where a byte is not in the file's encoding.",
    "control_character": "The text has a control character of ISO-8859-1. Is the file `encoding: windows-1252`?",
    "not_an_integer": "The text is not [+-]digits, or does not fit in 64 bits.",
    "not_a_number": "The text is not in plain decimal notation.",
    "too_many_decimals": "More than 9 decimals remain after trailing zeros.",
    "number_out_of_range": "The number does not fit in the column's type.",
    "not_a_timestamp": "The text is not an RFC 3339 timestamp with an offset, or names no real instant.",
    "not_a_date": "The text is not YYYY-MM-DD, or names no real day.",
    "not_a_boolean": "The text is neither true nor false.",
    "version_in_the_future": "The version is more than 24 h after the object's creation.",
    "unknown_delete_marker": "The delete column's value neither deletes nor is one of the contract's others.",
    "check_failed": "The column's check in the contract is false for the row.",
}
