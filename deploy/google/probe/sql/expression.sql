{# An expression that a contract's check may have. #}
SELECT TO_JSON_STRING({{ expression }}) AS verdict
