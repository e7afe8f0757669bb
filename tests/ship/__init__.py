"""What is handed to others: the wheel, the image, and the words that lead to them."""
