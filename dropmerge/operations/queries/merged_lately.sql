{# Loads of each feed that were merged in the last day: how many since midnight (UTC), and the seconds from drop to
   merged that 95 of 100 kept to, of files that were also dropped since. A generation is the time of the drop in
   microseconds. Parameters: since (a day ago), tables, gone. #}
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
      l.feed, l.merged_at,
      IF(
        d.generation BETWEEN UNIX_MICROS(@since) AND UNIX_MICROS(l.merged_at),
        (UNIX_MICROS(l.merged_at) - d.generation) / 1000000,
        NULL
      ) AS seconds
    FROM ({% include 'ledger.sql' %}) AS l
    LEFT JOIN (
      SELECT load_id, MAX(generation) AS generation
      FROM `ops.journal`
      WHERE happened_at >= @since AND event IN ('arrived', 'staged')
      GROUP BY load_id
    ) AS d ON d.load_id = l.load_id
    WHERE l.is_current AND l.merged_at > @since
  )
)
GROUP BY feed
