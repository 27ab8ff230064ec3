{# How many refused rows an earlier check of the load recorded. Parameters: load_id. #}
SELECT COUNT(*) AS recorded FROM {{ rejected | identifier }} WHERE load_id = @load_id
