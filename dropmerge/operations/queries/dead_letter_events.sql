{# The journal's events about a dead letter's object generation, and about the dead letter itself, which may have none,
   oldest first. Parameters: bucket, object, generation, id, replay_of, since. #}
SELECT happened_at, event, service, feed, who, operation_id, detail
FROM `ops.journal`
WHERE happened_at >= @since
  AND (
    (bucket = @bucket AND object = @object AND generation = @generation)
    OR JSON_VALUE(detail, '$.dead_letter_id') IN (@id, @replay_of)
    OR JSON_VALUE(detail, '$.undone_as') = @id
  )
ORDER BY happened_at
