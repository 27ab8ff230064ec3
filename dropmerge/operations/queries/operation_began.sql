{# What was asked for under an id. Parameters: id, since. #}
SELECT who, detail
FROM `ops.journal`
WHERE happened_at >= @since AND event = 'operation_began' AND operation_id = @id
ORDER BY happened_at
LIMIT 1
