{# Dead letters as Pub/Sub wrote them to their table, each once: those that wait, those that ended, or all. Beside each its
   end as the journal has it, the youngest letter that came of its replay, the letter that it was taken back as, and how
   many wait in all. Parameters: since, waiting_since (what is older has expired), which (waiting, ended, all), ids
   (comma-separated; empty for all). #}
WITH letters AS (
  SELECT
    subscription_name, message_id, publish_time, data, attributes,
    JSON_VALUE(attributes, '$.dropmerge_undo_of') AS undo_of,
    IF(
      JSON_VALUE(attributes, '$.dropmerge_whole') IS NULL,
      JSON_VALUE(attributes, '$.replay_of'),
      JSON_VALUE(
        SAFE.PARSE_JSON(SAFE_CONVERT_BYTES_TO_STRING(data), wide_number_mode => 'round'),
        '$.message.attributes.replay_of'
      )
    ) AS replay_of
  FROM `ops.dead_letter_messages`
  WHERE publish_time >= @since
  QUALIFY ROW_NUMBER() OVER (PARTITION BY subscription_name, message_id ORDER BY publish_time) = 1
),
ends AS (
  SELECT
    JSON_VALUE(detail, '$.dead_letter_id') AS id, event, happened_at, who, JSON_VALUE(detail, '$.why') AS why
  FROM `ops.journal`
  WHERE happened_at >= @since AND event IN ('replayed', 'discarded')
  QUALIFY ROW_NUMBER() OVER (PARTITION BY JSON_VALUE(detail, '$.dead_letter_id') ORDER BY happened_at DESC) = 1
),
undone AS (
  SELECT JSON_VALUE(detail, '$.dead_letter_id') AS id, MAX(JSON_VALUE(detail, '$.undone_as')) AS undone_as
  FROM `ops.journal`
  WHERE happened_at >= @since AND event = 'undone'
  GROUP BY 1
),
came_back AS (
  SELECT replay_of AS id, message_id
  FROM letters
  WHERE replay_of IS NOT NULL AND undo_of IS NULL
  QUALIFY ROW_NUMBER() OVER (PARTITION BY replay_of ORDER BY publish_time DESC, message_id) = 1
),
judged AS (
  SELECT
    l.* EXCEPT (replay_of),
    e.event, e.happened_at, e.who, e.why,
    c.message_id AS came_back_as, u.undone_as,
    e.id IS NULL AND l.publish_time >= @waiting_since AS is_waiting
  FROM letters AS l
  LEFT JOIN ends AS e ON e.id = l.message_id
  LEFT JOIN undone AS u ON u.id = l.message_id
  LEFT JOIN came_back AS c ON c.id = l.message_id
)
SELECT *
FROM (SELECT *, SUM(IF(is_waiting, 1, 0)) OVER () AS waiting FROM judged)
WHERE (@which = 'all' OR (@which = 'waiting') = is_waiting)
  AND (@ids = '' OR message_id IN UNNEST(SPLIT(@ids)))
