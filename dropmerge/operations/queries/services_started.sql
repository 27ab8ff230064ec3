{# Of each service its last start since a moment, with the contracts that it runs, as JSON. Parameters: since. #}
SELECT service, happened_at, detail
FROM `ops.journal`
WHERE event = 'started' AND happened_at >= @since
QUALIFY ROW_NUMBER() OVER (PARTITION BY service ORDER BY happened_at DESC) = 1
