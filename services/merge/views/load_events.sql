-- One row per event of a file on its way, those of the ledger (merged) included.
WITH _journal AS (
  SELECT happened_at, event, service, load_id, feed, bucket, object, generation, who, operation_id, detail
  FROM `${ops}.journal`
  WHERE happened_at >= ${since} AND object IS NOT NULL
),
_files AS (
  -- The id of a load is of one file.
  SELECT load_id, MIN(bucket) AS bucket, MIN(object) AS object, MIN(generation) AS generation
  FROM _journal
  WHERE load_id IS NOT NULL
  GROUP BY load_id
),
_merges AS (
  -- One delivery records what the MERGE of many loads did.
  SELECT JSON_VALUE(detail, '$.merge_id') AS merge_id, MAX(detail) AS detail
  FROM _journal
  WHERE event = 'merged'
  GROUP BY merge_id
),
_ledger AS (
  SELECT
    l.feed, l.load_id, l.merged_at, l.merge_id, l.contract, m.main_table,
    COALESCE(${is_current}, FALSE) AS is_current,
    COUNT(*) OVER (PARTITION BY l.feed, l.merge_id) AS loads_in_merge
  FROM `${ops}.ledger` AS l
  LEFT JOIN `${ops}.main_tables` AS m ON m.table_id = l.table_id
  -- A feed with __ in its name is a table that is being built.
  WHERE STRPOS(l.feed, '__') = 0
),
_all AS (
  SELECT
    j.happened_at, j.event, j.service, j.load_id, j.feed, j.bucket, j.object, j.generation, j.who, j.operation_id,
    JSON_VALUE(j.detail, '$.contract') AS contract,
    CAST(NULL AS STRING) AS table_name, CAST(NULL AS STRING) AS merge_id, CAST(NULL AS INT64) AS loads_in_merge,
    CAST(NULL AS BOOL) AS is_current, j.detail
  FROM _journal AS j
  WHERE j.event != 'merged' OR NOT EXISTS (
    SELECT 1
    FROM _ledger AS l
    WHERE l.load_id = j.load_id AND l.merge_id = JSON_VALUE(j.detail, '$.merge_id')
  )
  UNION ALL
  SELECT
    l.merged_at, 'merged', 'merge', l.load_id, l.feed, f.bucket, f.object, f.generation, NULL, NULL,
    l.contract, l.main_table, l.merge_id, l.loads_in_merge, l.is_current, m.detail
  FROM _ledger AS l
  LEFT JOIN _files AS f ON f.load_id = l.load_id
  LEFT JOIN _merges AS m ON m.merge_id = l.merge_id
  WHERE l.merged_at >= ${since} OR f.load_id IS NOT NULL
)
SELECT
  happened_at, event, service, load_id, feed,
  CONCAT('gs://', bucket) AS stage_location,
  object AS file_name,
  generation,
  TIMESTAMP_MICROS(LEAST(generation, 253000000000000000)) AS create_time,
  TIMESTAMP_DIFF(
    happened_at,
    LAG(happened_at) OVER (
      PARTITION BY bucket, object, generation, IF(object IS NULL, load_id, NULL)
      ORDER BY happened_at, event, service, detail
    ),
    MICROSECOND
  ) / 1000000 AS seconds_since_previous,
  contract, table_name, merge_id, loads_in_merge, is_current, who, operation_id, detail
FROM _all
