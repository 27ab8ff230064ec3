{# Seconds since a load was last merged into the main table; NULL where none was. #}
SELECT TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), MAX(merged_at), SECOND) AS age
FROM {{ ledger | identifier }}
WHERE feed = {{ feed | literal }} AND table_id = {{ table_id | literal }}
