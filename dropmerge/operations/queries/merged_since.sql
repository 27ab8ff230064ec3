{# Loads that were merged from a time on, and whether the main table of now has them. Parameters: since, tables, gone. #}
SELECT load_id, LOGICAL_OR(is_current) AS is_current
FROM ({% include 'ledger.sql' %})
WHERE merged_at >= @since
GROUP BY load_id
