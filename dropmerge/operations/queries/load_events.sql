{# The journal's events about one object generation, oldest first. Parameters: bucket, object, generation, since. #}
SELECT happened_at, event, service, feed, who, operation_id, detail
FROM `ops.journal`
WHERE bucket = @bucket AND object = @object AND generation = @generation AND happened_at >= @since
ORDER BY happened_at
