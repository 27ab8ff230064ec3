{# The contract's columns, without tombstones. #}
CREATE OR REPLACE VIEW {{ current | identifier }} AS
SELECT {{ feed.columns | map(attribute='name') | map('identifier') | join(', ') }}
FROM {{ main | identifier }} AS _t
WHERE NOT _deleted
