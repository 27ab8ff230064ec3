{# The contract's columns, without tombstones. #}
SELECT {{ feed.columns | map(attribute='name') | map('identifier') | join(', ') }}
FROM {{ main | identifier }} AS _t
WHERE NOT _deleted
