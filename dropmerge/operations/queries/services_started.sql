{# Of each service its last start, with the contracts that it runs, as JSON. #}
SELECT service, happened_at, detail
FROM `ops.journal`
WHERE event = 'started'
QUALIFY ROW_NUMBER() OVER (PARTITION BY service ORDER BY happened_at DESC) = 1
