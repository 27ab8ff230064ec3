{# Of each service its last start, with the contracts that it runs, as JSON. #}
SELECT service, `at`, detail
FROM `ops.journal`
WHERE event = 'started'
QUALIFY ROW_NUMBER() OVER (PARTITION BY service ORDER BY `at` DESC) = 1
