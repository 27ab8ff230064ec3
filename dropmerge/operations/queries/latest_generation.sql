{# The latest generation of an object that the journal knows. Parameters: bucket, object, since. #}
SELECT MAX(generation) AS generation
FROM `ops.journal`
WHERE happened_at >= @since AND bucket = @bucket AND object = @object
