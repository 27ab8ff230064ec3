{# The folders in which files have arrived, the last used first: of each how many, when the last, and the first in the order
   of a listing among the names that arrived last. Parameters: bucket, prefix, since, most (of those names). #}
SELECT folder, COUNT(*) AS files, MAX(arrived_at) AS used_at, MIN(IF(n <= @most, object, NULL)) AS first_name
FROM (
  SELECT object, folder, arrived_at, ROW_NUMBER() OVER (PARTITION BY folder ORDER BY arrived_at DESC) AS n
  FROM (
    SELECT object, REGEXP_EXTRACT(object, r'^.*/') AS folder, MAX(happened_at) AS arrived_at
    FROM `ops.journal`
    WHERE happened_at >= @since AND event IN ('arrived', 'dead_lettered')
      AND bucket = @bucket AND STARTS_WITH(object, @prefix)
    GROUP BY object
  )
)
GROUP BY folder
ORDER BY used_at DESC, folder
