-- An order: who ordered what, what it comes to, and whether it has left the house.
--@ aggregate order version 1

--@ on OrderPlaced
json_object(
    'status', 'open',
    'customer', $data(customer_id),
    'country', $data(ship_to.country),
    'placed', substr($occurred_at, 1, 10),
    'required', $data(required_date),
    'freight', $data(freight),
    'lines', json_array(),
    'total', 0)

--@ on OrderLineAdded
-- [#] is the place behind the last element. Four decimals are exact for these prices; unrounded, a long order
-- would collect the errors of its sums.
json_set($state,
    '$.lines[#]', json_object(
        'product', $data(product_name),
        'quantity', $data(quantity),
        'price', $data(unit_price),
        'discount', $data(discount)),
    '$.total', round($state ->> '$.total' + $data(quantity) * $data(unit_price) * (1 - $data(discount)), 4))

--@ on OrderShipped
json_set($state,
    '$.status', 'shipped',
    '$.shipped', substr($occurred_at, 1, 10),
    '$.late', json(iif($data(late), 'true', 'false')))
