{# Which of these loads are merged. Parameters: load_ids (comma-separated). #}
SELECT load_id FROM `ops.ledger` WHERE load_id IN UNNEST(SPLIT(@load_ids))
