{# What went through in each five minutes, in each hour, on each day, or of each feed: by when a load was merged, or had its
   last event. Parameters: since, by (5min, hour, day, feed), those of wanted_loads.sql, tables, gone. #}
SELECT
  part,
  COUNT(*) AS files,
  COUNTIF(state = 'merged') AS merged,
  COALESCE(SUM(IF(state = 'merged', staged, NULL)), 0) AS row_count,
  COALESCE(SUM(error_count), 0) AS error_count,
  COUNTIF(state = 'dead_lettered') AS dead_letters,
  MIN(IF(place >= 0.5 * known, seconds_to_commit, NULL)) AS p50_seconds,
  MIN(IF(place >= 0.95 * known, seconds_to_commit, NULL)) AS p95_seconds,
  SUM(bytes_billed) AS bytes_billed
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY part ORDER BY seconds_to_commit IS NULL, seconds_to_commit) AS place,
    COUNT(seconds_to_commit) OVER (PARTITION BY part) AS known
  FROM (
    SELECT
      *,
      CASE @by
        WHEN 'feed' THEN COALESCE(feed, '')
        WHEN '5min' THEN FORMAT_TIMESTAMP(
          '%Y-%m-%d %H:%M',
          TIMESTAMP_MICROS(DIV(UNIX_MICROS(COALESCE(commit_time, last_event_time)), 300000000) * 300000000)
        )
        WHEN 'day' THEN FORMAT_TIMESTAMP('%Y-%m-%d', COALESCE(commit_time, last_event_time))
        ELSE FORMAT_TIMESTAMP('%Y-%m-%d %H:00', COALESCE(commit_time, last_event_time))
      END AS part
    FROM ({{ loads }})
    WHERE {% include 'wanted_loads.sql' %}
  )
)
GROUP BY part
ORDER BY part
