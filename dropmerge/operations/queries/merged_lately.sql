{# Files of each feed whose loads were merged in the last day, by the journal: a rebuild writes the ledger's times anew.
   How many since midnight (UTC), and the seconds from drop to merged that 95 of 100 kept to, of files that were also
   dropped since. A generation is the time of the drop in microseconds. Parameters: since (a day ago), tables, gone. #}
SELECT
  feed,
  COUNTIF(merged_at >= TIMESTAMP_TRUNC(CURRENT_TIMESTAMP(), DAY)) AS today,
  MIN(IF(n >= 0.95 * known, seconds, NULL)) AS p95
FROM (
  SELECT
    feed, merged_at, seconds,
    ROW_NUMBER() OVER (PARTITION BY feed, seconds IS NULL ORDER BY seconds) AS n,
    COUNT(seconds) OVER (PARTITION BY feed) AS known
  FROM (
    SELECT
      l.feed, m.merged_at,
      IF(
        d.generation BETWEEN UNIX_MICROS(@since) AND UNIX_MICROS(m.merged_at),
        (UNIX_MICROS(m.merged_at) - d.generation) / 1000000,
        NULL
      ) AS seconds
    FROM (
      SELECT load_id, MIN(happened_at) AS merged_at
      FROM (
        SELECT one AS load_id, happened_at
        FROM `ops.journal`, UNNEST(JSON_VALUE_ARRAY(detail, '$.loads')) AS one
        WHERE happened_at >= @since AND event = 'merged'
      )
      GROUP BY load_id
    ) AS m
    JOIN (SELECT DISTINCT feed, load_id FROM ({% include 'ledger.sql' %}) WHERE is_current) AS l
      ON l.load_id = m.load_id
    LEFT JOIN (
      SELECT load_id, MAX(generation) AS generation
      FROM `ops.journal`
      WHERE happened_at >= @since AND event IN ('arrived', 'staged')
      GROUP BY load_id
    ) AS d ON d.load_id = m.load_id
  )
)
GROUP BY feed
