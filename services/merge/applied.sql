{# Which of these loads the ledger holds, for the main table as it is now. #}
SELECT DISTINCT load_id
FROM {{ ledger | identifier }}
WHERE feed = {{ feed | literal }} AND table_id = {{ table_id | literal }} AND load_id IN ({% for id in load_ids %}{{ id | literal }}{{ '' if loop.last else ', ' }}{% endfor %})
