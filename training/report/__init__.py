"""What an engineer reads about a trained model: report and model card."""
