-- A row for each dead letter in the window: what it says of itself, and what became of it. Columns are named as in
-- `dropmerge dead-letters list --json`. `feed` is only what the message names; the command also looks for a contract.
WITH messages AS (
  SELECT
    message_id, publish_time, attributes,
    REGEXP_EXTRACT(subscription_name, r'([^/]+)-dead-letter-table$') AS service,
    -- NULL where the data is no JSON.
    SAFE.PARSE_JSON(SAFE_CONVERT_BYTES_TO_STRING(data), wide_number_mode => 'round') AS body
  FROM `${ops}.dead_letter_messages`
  -- Pub/Sub writes each at least once.
  WHERE publish_time >= ${since}
  QUALIFY ROW_NUMBER() OVER (PARTITION BY subscription_name, message_id ORDER BY publish_time) = 1
),
opened AS (
  SELECT
    * EXCEPT (body),
    -- An original without room for our attributes is wrapped in the data, as a push body.
    IF(
      JSON_VALUE(attributes, '$.dropmerge_whole') IS NOT NULL
        AND JSON_TYPE(JSON_QUERY(body, '$.message.attributes')) = 'object',
      TO_JSON_STRING(JSON_QUERY(body, '$.message.attributes')),
      attributes
    ) AS original,
    IF(service = 'merge', body, NULL) AS staged
  FROM messages
),
letters AS (
  SELECT
    message_id, publish_time, service,
    COALESCE(JSON_VALUE(attributes, '$.dropmerge_reason'), 'delivery_attempts_exhausted') AS reason,
    COALESCE(
      JSON_VALUE(attributes, '$.dropmerge_error'), "Pub/Sub stopped delivering it; the service's log has the error of each attempt"
    ) AS error,
    NULLIF(JSON_VALUE(attributes, '$.dropmerge_load_id'), '') AS load_id,
    COALESCE(
      NULLIF(JSON_VALUE(attributes, '$.dropmerge_feed'), ''), JSON_VALUE(staged, '$.feed'), JSON_VALUE(original, '$.feed')
    ) AS feed,
    COALESCE(
      NULLIF(JSON_VALUE(attributes, '$.dropmerge_bucket'), ''),
      JSON_VALUE(staged, '$.bucket'),
      JSON_VALUE(original, '$.bucketId')
    ) AS bucket,
    COALESCE(
      NULLIF(JSON_VALUE(attributes, '$.dropmerge_object'), ''),
      JSON_VALUE(staged, '$.object'),
      JSON_VALUE(original, '$.objectId')
    ) AS object,
    COALESCE(
      NULLIF(JSON_VALUE(attributes, '$.dropmerge_generation'), ''),
      JSON_VALUE(staged, '$.generation'),
      JSON_VALUE(original, '$.objectGeneration')
    ) AS generation,
    JSON_VALUE(attributes, '$.dropmerge_contract') AS contract,
    JSON_VALUE(attributes, '$.dropmerge_attempt') AS attempt,
    JSON_VALUE(attributes, '$.CloudPubSubDeadLetterSourceDeliveryCount') AS delivery_count,
    SAFE_CAST(JSON_VALUE(attributes, '$.dropmerge_dead_lettered_at') AS TIMESTAMP) AS dead_lettered_at,
    JSON_VALUE(attributes, '$.dropmerge_undo_of') AS undo_of,
    JSON_VALUE(original, '$.replay_of') AS replay_of,
    JSON_VALUE(original, '$.replay_count') AS replay_count
  FROM opened
),
ends AS (
  SELECT
    JSON_VALUE(detail, '$.dead_letter_id') AS id, event, happened_at, who, JSON_VALUE(detail, '$.why') AS why
  FROM `${ops}.journal`
  WHERE happened_at >= ${since} AND event IN ('replayed', 'discarded')
  QUALIFY ROW_NUMBER() OVER (PARTITION BY JSON_VALUE(detail, '$.dead_letter_id') ORDER BY happened_at DESC) = 1
),
undone AS (
  SELECT JSON_VALUE(detail, '$.dead_letter_id') AS id, MAX(JSON_VALUE(detail, '$.undone_as')) AS undone_as
  FROM `${ops}.journal`
  WHERE happened_at >= ${since} AND event = 'undone'
  GROUP BY 1
),
came_back AS (
  SELECT replay_of AS id, message_id
  FROM letters
  WHERE replay_of IS NOT NULL AND undo_of IS NULL
  QUALIFY ROW_NUMBER() OVER (PARTITION BY replay_of ORDER BY publish_time DESC, message_id) = 1
)
SELECT
  l.message_id AS id,
  l.service, l.reason, l.error, l.load_id, l.feed, l.bucket, l.object,
  SAFE_CAST(REGEXP_EXTRACT(l.generation, r'^[0-9]{1,18}$') AS INT64) AS generation,
  l.contract,
  COALESCE(
    NULLIF(SAFE_CAST(REGEXP_EXTRACT(l.attempt, r'^[0-9]{1,18}$') AS INT64), 0),
    NULLIF(SAFE_CAST(REGEXP_EXTRACT(l.delivery_count, r'^[0-9]{1,18}$') AS INT64), 0),
    1
  ) AS attempts,
  TIMESTAMP_TRUNC(COALESCE(l.dead_lettered_at, l.publish_time), MILLISECOND) AS dead_lettered_at,
  l.replay_of,
  COALESCE(SAFE_CAST(REGEXP_EXTRACT(l.replay_count, r'^[0-9]{1,18}$') AS INT64), 0) AS replay_count,
  -- The subscriptions keep what waits for 31 days.
  COALESCE(
    e.event, IF(l.publish_time < TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 31 DAY), 'expired', 'waiting')
  ) AS state,
  COALESCE(
    e.happened_at,
    IF(
      l.publish_time < TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 31 DAY),
      TIMESTAMP_ADD(l.publish_time, INTERVAL 31 DAY),
      NULL
    )
  ) AS ended_at,
  e.who AS ended_by,
  e.why,
  c.message_id AS came_back_as,
  u.undone_as
FROM letters AS l
LEFT JOIN ends AS e ON e.id = l.message_id
LEFT JOIN undone AS u ON u.id = l.message_id
LEFT JOIN came_back AS c ON c.id = l.message_id
