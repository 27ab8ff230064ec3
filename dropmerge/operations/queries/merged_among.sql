{# Which of these loads were ever merged, when they last were, and whether the main table of now has them.
   Parameters: load_ids (comma-separated), tables, gone. #}
SELECT load_id, MAX(merged_at) AS merged_at, LOGICAL_OR(is_current) AS is_current
FROM ({% include 'ledger.sql' %})
WHERE load_id IN UNNEST(SPLIT(@load_ids))
GROUP BY load_id
