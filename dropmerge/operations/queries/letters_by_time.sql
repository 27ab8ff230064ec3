{# How many dead letters were written in each interval, by reason. Those that Pub/Sub made itself have none.
   Parameters: since, step (microseconds). #}
SELECT reason, began_at, COUNT(DISTINCT message_id) AS letters
FROM (
  SELECT
    COALESCE(JSON_VALUE(attributes, '$.dropmerge_reason'), 'delivery_attempts_exhausted') AS reason,
    TIMESTAMP_MICROS(DIV(UNIX_MICROS(publish_time), @step) * @step) AS began_at,
    message_id
  FROM `ops.dead_letter_messages`
  WHERE publish_time >= @since
)
GROUP BY reason, began_at
ORDER BY reason, began_at
