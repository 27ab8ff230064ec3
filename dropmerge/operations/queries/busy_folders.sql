{# The folders in which files have arrived: of each how many, and the first of their names in the order of a listing.
   Parameters: bucket, prefix, since. #}
SELECT REGEXP_EXTRACT(object, r'^.*/') AS folder, COUNT(DISTINCT object) AS files, MIN(object) AS first_name
FROM `ops.journal`
WHERE happened_at >= @since AND event = 'arrived' AND bucket = @bucket AND STARTS_WITH(object, @prefix)
GROUP BY folder
ORDER BY files DESC, folder
LIMIT 50
