{# Loads of a feed that had the same bytes, oldest first. Parameters: feed, md5, since. #}
SELECT load_id, bucket, object, generation
FROM `ops.journal`
WHERE happened_at >= @since AND event = 'pinned' AND feed = @feed AND JSON_VALUE(detail, '$.md5') = @md5
GROUP BY load_id, bucket, object, generation
ORDER BY generation, bucket, object
LIMIT 20
