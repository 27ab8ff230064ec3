{# The newest generation of each object that was created since a time. Parameters: bucket, prefix, generation (that
   time's), since. #}
SELECT bucket, object, MAX(generation) AS generation
FROM `ops.journal`
WHERE happened_at >= @since AND bucket = @bucket AND STARTS_WITH(object, @prefix) AND generation >= @generation
GROUP BY bucket, object
