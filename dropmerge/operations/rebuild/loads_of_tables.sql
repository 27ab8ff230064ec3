{# The loads that tables have, with the time and the contract of each. #}
SELECT load_id, MAX(merged_at) AS merged_at, MAX(contract) AS contract
FROM {{ ledger | identifier }}
WHERE table_id IN ({{ table_ids | map('literal') | join(', ') }})
GROUP BY load_id
