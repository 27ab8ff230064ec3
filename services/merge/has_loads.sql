{# Any load that is applied to the main table as it is now. #}
SELECT load_id
FROM {{ ledger | identifier }}
WHERE feed = {{ feed | literal }} AND table_id = {{ table_id | literal }}
LIMIT 1
