{# Of each feed the newest object generation. Parameters: since, newest_before (a generation). #}
SELECT feed, bucket, object, generation
FROM `ops.journal`
WHERE happened_at >= @since AND generation < @newest_before
  AND feed IS NOT NULL AND bucket IS NOT NULL AND object IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY feed ORDER BY generation DESC, object) = 1
