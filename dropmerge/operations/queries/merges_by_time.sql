{# How many files were merged, and by how many MERGEs, in each interval: by the journal, since a rebuild
   writes the ledger's times anew. Parameters: since, step (microseconds), feed (empty for all). #}
SELECT feed, began_at, COUNT(*) AS merges, SUM(loads) AS files
FROM (
  SELECT feed, TIMESTAMP_MICROS(DIV(UNIX_MICROS(merged_at), @step) * @step) AS began_at, loads
  FROM (
    SELECT
      feed,
      MIN(happened_at) AS merged_at,
      MAX(ARRAY_LENGTH(JSON_VALUE_ARRAY(detail, '$.loads'))) AS loads
    FROM `ops.journal`
    WHERE happened_at >= @since AND event = 'merged' AND (@feed = '' OR feed = @feed)
    GROUP BY feed, JSON_VALUE(detail, '$.merge_id')
  )
)
GROUP BY feed, began_at
ORDER BY feed, began_at
