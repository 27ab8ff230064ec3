{# Loads of each feed that its main table has: merged ever, in the last hour, in the last day. Parameters: tables, gone. #}
SELECT
  feed,
  COUNT(*) AS merged,
  COUNTIF(merged_at > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR)) AS last_hour,
  COUNTIF(merged_at > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS last_day
FROM ({% include 'ledger.sql' %})
WHERE is_current
GROUP BY feed
