{# Loads that were merged from a time on. Parameters: since. #}
SELECT load_id FROM `ops.ledger` WHERE merged_at >= @since
