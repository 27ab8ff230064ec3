{# Which of these loads are merged, and when. Parameters: load_ids (comma-separated). #}
SELECT load_id, merged_at FROM `ops.ledger` WHERE load_id IN UNNEST(SPLIT(@load_ids))
