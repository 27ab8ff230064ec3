{# Superseded loads and dead letters of each feed. Of a dead letter that is Pub/Sub's own there is an event only when it is
   replayed or discarded. #}
SELECT
  feed,
  IF(event = 'superseded', event, 'dead_lettered') AS event,
  COUNT(DISTINCT IF(event = 'superseded', load_id, JSON_VALUE(detail, '$.dead_letter_id'))) AS n
FROM `ops.journal`
WHERE event IN ('superseded', 'dead_lettered', 'replayed', 'discarded')
GROUP BY 1, 2
