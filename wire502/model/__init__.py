"""Plain records that pass between the stages. Imports the standard library only, knows no stage."""
