{# Merged loads of each feed: ever, in the last hour, in the last day. #}
SELECT
  feed,
  COUNT(*) AS merged,
  COUNTIF(merged_at > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR)) AS last_hour,
  COUNTIF(merged_at > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS last_day
FROM `ops.ledger`
GROUP BY feed
