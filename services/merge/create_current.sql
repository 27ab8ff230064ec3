{# The contract's columns, without tombstones. #}
CREATE OR REPLACE VIEW {{ current | identifier }}
OPTIONS (labels = [{% for name, text in labels.items() %}({{ name | literal }}, {{ text | literal }}){{ '' if loop.last else ', ' }}{% endfor %}]) AS
SELECT {{ feed.columns | map(attribute='name') | map('identifier') | join(', ') }}
FROM {{ main | identifier }} AS _t
WHERE NOT _deleted
