"""The encoder in training: fine-tuning, distillation, export, quantisation."""
