"""Google's product taxonomy as the pivot: merchants' categories mapped to its ids, with what was
corrected once remembered."""
