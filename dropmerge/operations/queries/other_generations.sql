{# What the journal knows of an object's other generations: the last event of each, newest first.
   Parameters: bucket, object, generation, since. #}
SELECT generation, event, load_id
FROM `ops.journal`
WHERE bucket = @bucket AND object = @object AND generation != @generation AND happened_at >= @since
QUALIFY ROW_NUMBER() OVER (PARTITION BY generation ORDER BY happened_at DESC) = 1
ORDER BY generation DESC
LIMIT 20
