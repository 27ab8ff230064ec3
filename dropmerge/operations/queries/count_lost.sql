{# Rows of each feed's merged files that lost to another row of their own file, by the latest check of each file.
   Parameters: tables, gone. #}
SELECT c.feed, SUM(CAST(JSON_VALUE(c.detail, '$.lost_in_file') AS INT64)) AS n
FROM (
  SELECT feed, load_id, detail
  FROM `ops.journal`
  WHERE event = 'checked'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY happened_at DESC) = 1
) AS c
JOIN (SELECT DISTINCT load_id FROM ({% include 'ledger.sql' %}) WHERE is_current) AS l ON l.load_id = c.load_id
WHERE JSON_VALUE(c.detail, '$.lost_in_file') IS NOT NULL
GROUP BY c.feed
