{# Whether somebody asked for the end of an operation: a row if so. Parameters: id, since. #}
SELECT operation_id
FROM `ops.journal`
WHERE happened_at >= @since AND event = 'operation_cancelled' AND operation_id = @id
LIMIT 1
