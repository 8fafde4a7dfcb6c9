"""What an encoder adapted on other regions is worth to a new region with few labelled complaints."""
