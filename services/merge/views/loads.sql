-- One row per load: per file (object generation) of which there is an event.
WITH _events AS (
  SELECT
    *,
    IF(file_name IS NULL, load_id, NULL) AS unnamed,
    ROW_NUMBER() OVER (
      PARTITION BY stage_location, file_name, generation, IF(file_name IS NULL, load_id, NULL)
      ORDER BY happened_at, event, service, detail
    ) AS n,
    IF(
      event IN ('discarded', 'undone'),
      COALESCE(SAFE_CAST(JSON_VALUE(detail, '$.dead_lettered_at') AS TIMESTAMP), happened_at)
        >= COALESCE(
          MAX(IF(event IN ('arrived', 'announced', 'replayed'), happened_at, NULL)) OVER (
            PARTITION BY stage_location, file_name, generation, IF(file_name IS NULL, load_id, NULL)
          ),
          TIMESTAMP '0001-01-01 00:00:00+00'
        ),
      FALSE
    ) AS is_given_up
  FROM ${load_events}
),
_loads AS (
  SELECT
    stage_location, file_name, generation,
    COALESCE(
      ANY_VALUE(load_id HAVING MAX IF(is_current, n, NULL)),
      ANY_VALUE(load_id HAVING MAX IF(load_id IS NULL, NULL, n))
    ) AS load_id,
    COALESCE(
      ANY_VALUE(feed HAVING MAX IF(is_current, n, NULL)),
      ANY_VALUE(feed HAVING MAX IF(feed IS NULL, NULL, n))
    ) AS feed,
    MIN(create_time) AS create_time,
    MIN(IF(event = 'arrived', happened_at, NULL)) AS discovery_time,
    MAX(IF(event = 'staged', happened_at, NULL)) AS processed_time,
    MAX(IF(is_current, happened_at, NULL)) AS commit_time,
    MAX(happened_at) AS last_event_time,
    ANY_VALUE(event HAVING MAX n) AS last_event,
    COALESCE(LOGICAL_OR(is_current), FALSE) AS is_merged,
    LOGICAL_OR(service != 'console') AS is_served,
    ANY_VALUE(event HAVING MAX IF(event IN ('discarded', 'undone'), NULL, n)) AS last_word,
    COALESCE(MAX(IF(event IN ('discarded', 'undone'), NULL, n)), 0) AS last_word_n,
    COALESCE(MAX(IF(is_given_up, n, NULL)), 0) AS given_up_n,
    COALESCE(
      ANY_VALUE(contract HAVING MAX IF(is_current, n, NULL)),
      ANY_VALUE(contract HAVING MAX IF(contract IS NULL, NULL, n))
    ) AS contract,
    ANY_VALUE(table_name HAVING MAX IF(is_current, n, NULL)) AS table_name,
    ANY_VALUE(merge_id HAVING MAX IF(is_current, n, NULL)) AS merge_id,
    ANY_VALUE(loads_in_merge HAVING MAX IF(is_current, n, NULL)) AS loads_in_merge,
    ANY_VALUE(detail HAVING MAX IF(is_current, n, NULL)) AS merged,
    ANY_VALUE(detail HAVING MAX IF(event = 'pinned', n, NULL)) AS pinned,
    ANY_VALUE(detail HAVING MAX IF(event = 'checked', n, NULL)) AS checked,
    ANY_VALUE(detail HAVING MAX IF(event IN ('dead_lettered', 'discarded', 'undone'), n, NULL)) AS gone,
    ANY_VALUE(detail HAVING MAX IF(event = 'dead_lettered', n, NULL)) AS dead_letter,
    COUNTIF(event = 'dead_lettered') AS dead_letters
  FROM _events
  GROUP BY stage_location, file_name, generation, unnamed
),
_counted AS (
  SELECT
    *,
    CASE
      WHEN is_merged THEN 'merged'
      WHEN last_word IN ('dead_lettered', 'superseded', 'ignored') THEN last_word
      WHEN given_up_n > last_word_n AND COALESCE(last_word, '') != 'merged' THEN 'dead_lettered'
      WHEN last_word IN ('staged', 'sent_back') THEN 'staged'
      WHEN last_word IN ('loaded', 'checked') THEN 'loaded'
      WHEN last_word IN ('pinned', 'merged') THEN 'pinned'
      WHEN is_served THEN 'arrived'
      ELSE 'unknown'
    END AS state,
    SAFE_CAST(JSON_VALUE(pinned, '$.size') AS INT64) AS file_size,
    JSON_VALUE(pinned, '$.md5') AS md5,
    SAFE_CAST(JSON_VALUE(checked, '$.rows') AS INT64) AS row_parsed,
    SAFE_CAST(JSON_VALUE(checked, '$.rejected_rows') AS INT64) AS error_count,
    SAFE_CAST(JSON_VALUE(checked, '$.deletes') AS INT64) AS deleted,
    SAFE_CAST(JSON_VALUE(checked, '$.lost_in_file') AS INT64) AS lost_in_file,
    JSON_VALUE(checked, '$.commonest_reason') AS commonest_reason,
    SAFE_CAST(JSON_VALUE(checked, '$.bytes_billed') AS INT64) AS checked_bytes,
    JSON_VALUE(merged, '$.mode') AS mode,
    SAFE_CAST(JSON_VALUE(merged, '$.inserted') AS INT64) AS inserted_by_merge,
    SAFE_CAST(JSON_VALUE(merged, '$.updated') AS INT64) AS updated_by_merge,
    SAFE_CAST(JSON_VALUE(merged, '$.bytes_billed') AS INT64) AS merge_bytes_billed,
    SAFE_CAST(JSON_VALUE(merged, '$.slot_ms') AS INT64) AS merge_slot_ms,
    SAFE_CAST(JSON_VALUE(checked, '$.slot_ms') AS INT64) AS check_slot_ms
  FROM _loads
),
_merged AS (
  SELECT
    *,
    -- Of a group all or nothing is known: a load whose check is not in the journal makes the sum a part.
    IF(
      COUNT(row_parsed) OVER (PARTITION BY feed, merge_id) = loads_in_merge,
      SUM(row_parsed - error_count) OVER (PARTITION BY feed, merge_id),
      NULL
    ) AS merge_staged
  FROM _counted
),
_told AS (
  SELECT
    *,
    -- Each row that passed is appended, whatever the job of a MERGE that was repeated says.
    IF(mode = 'append', merge_staged, inserted_by_merge) AS merge_inserted,
    IF(mode = 'append', 0, updated_by_merge) AS merge_updated
  FROM _merged
)
SELECT
  load_id, feed, table_name, stage_location, file_name, generation, file_size, md5, state,
  create_time, discovery_time, processed_time, commit_time, last_event_time, last_event,
  TIMESTAMP_DIFF(commit_time, create_time, MICROSECOND) / 1000000 AS seconds_to_commit,
  row_parsed, error_count,
  row_parsed - error_count AS staged,
  deleted, lost_in_file,
  IF(loads_in_merge = 1, merge_inserted, NULL) AS inserted,
  IF(loads_in_merge = 1, merge_updated, NULL) AS updated,
  IF(loads_in_merge = 1, merge_staged - merge_inserted - merge_updated, NULL) AS ignored,
  commonest_reason AS commonest_error,
  IF(state = 'dead_lettered', JSON_VALUE(gone, '$.reason'), NULL) AS dead_letter_reason,
  IF(state = 'dead_lettered', JSON_VALUE(gone, '$.dead_letter_id'), NULL) AS dead_letter_id,
  IF(state = 'dead_lettered', JSON_VALUE(dead_letter, '$.error'), NULL) AS first_error_message,
  dead_letters,
  IF(
    checked_bytes IS NULL AND merge_bytes_billed IS NULL,
    NULL,
    COALESCE(checked_bytes, 0) + COALESCE(CAST(ROUND(merge_bytes_billed / loads_in_merge) AS INT64), 0)
  ) AS bytes_billed,
  contract, merge_id, loads_in_merge, merge_staged, merge_inserted, merge_updated,
  merge_staged - merge_inserted - merge_updated AS merge_ignored,
  merge_bytes_billed, merge_slot_ms,
  checked_bytes AS check_bytes_billed, check_slot_ms
FROM _told
