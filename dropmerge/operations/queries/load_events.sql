{# The journal's events about one object generation, oldest first. Parameters: bucket, object, generation, since. #}
SELECT `at`, event, service, feed, detail
FROM `ops.journal`
WHERE bucket = @bucket AND object = @object AND generation = @generation AND `at` >= @since
ORDER BY `at`
