{# Which of these loads the ledger holds. #}
SELECT DISTINCT load_id
FROM {{ ledger | identifier }}
WHERE feed = {{ feed | literal }} AND load_id IN ({% for id in load_ids %}{{ id | literal }}{{ '' if loop.last else ', ' }}{% endfor %})
