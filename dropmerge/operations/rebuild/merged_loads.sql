{# Steps of a query: the loads that the live table has and the contract they were merged by, when each load of the feed was
   first merged, and the loads that the built table has. #}
_merged AS (
  SELECT load_id, MAX(contract) AS contract
  FROM {{ ledger | identifier }}
  WHERE table_id = {{ live_id | literal }}
  GROUP BY load_id
),
_first AS (
  SELECT load_id, MIN(merged_at) AS merged_at
  FROM {{ ledger | identifier }}
  WHERE feed = {{ feed.name | literal }}
  GROUP BY load_id
),
_built AS (
  SELECT DISTINCT load_id FROM {{ ledger | identifier }} WHERE table_id = {{ built_id | literal }}
)
